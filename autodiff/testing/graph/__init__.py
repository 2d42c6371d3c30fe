"""Which operation of a graph, asked for by which line?"""
