"""What slope does the function have along a direction, and does the gradient agree with it?"""
