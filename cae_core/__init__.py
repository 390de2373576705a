"""Autoencoders to play with: data, noise, networks, training and measurement. Nothing here is a web page."""
