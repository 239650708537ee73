"""`slugline doctor`: whether the installation is set up as it should be, and how to mend what is not."""
