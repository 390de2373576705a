"""Stacked convolutional autoencoders as the beginning of a classifier (Masci, Meier, Cireşan and Schmidhuber, ICANN 2011).

`network` is the stack and its classifiers, `phases` trains it layer by layer and then fine-tunes one classifier from it and
one from random weights, `trainer` and `monitor` write that down and show it, `linear_probe` scores the encoder as it is,
and `label_curve` asks at how many labels any of this helps.
"""
