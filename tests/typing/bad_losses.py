"""What a user may not write of losses."""

import nn

nn.HuberLoss(2.0)  # error
nn.HuberLoss(delta="2")  # error
nn.HuberLoss(dleta=2.0)  # error
nn.HuberLoss().dleta  # error
nn.MSELoss(delta=1.0)  # error
nn.mse_los  # error
