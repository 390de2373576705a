"""Stacked convolutional autoencoders as the beginning of a classifier (Masci, Meier, Cireşan and Schmidhuber, ICANN 2011).

`config` says what a stack is, `network` builds it, `training` trains it layer by layer and then fine-tunes a classifier
from it and one from random weights, `trainer` and `watching` let that happen in the background, `features` scores the
encoder as it is, and `experiment` asks at how many labels any of this helps.
"""
