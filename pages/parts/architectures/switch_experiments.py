"""Experiments of the view "Switch leak"."""

from pages.parts.common.experiment import Experiment


def _mix(code: str, switches: str) -> dict[str, str]:
    return {"view": "leak", "leak_network": "conv_unpool", "mix_code": code, "mix_switches": switches}


EXPERIMENTS: dict[str, Experiment] = {
    "what_and_where": Experiment(
        "Another image's code",
        _mix("next", "kept"),
        "Every image gets the code of the one at its right and keeps its own switches. What comes out is the digit of the "
        "code, ragged: of the test images more than nine in ten are nearer to the image that gave the code. A code of "
        "14 × 14 places knows by itself where strokes are; the switches only say where in each 2 × 2.",
    ),
    "random_switches": Experiment(
        "Switches drawn at random",
        _mix("kept", "random"),
        "With wrong switches the digit is still there, but its edges are frayed: the error is more than double that "
        "with the true ones. That difference is what the switches bring past the code.",
    ),
    "nothing_known": Experiment(
        "Neither code nor switches",
        _mix("mean", "random"),
        "The mean code with switches drawn at random explains nothing, less than 1 %. The same code with the true "
        "switches, *Switches alone*, explains at least a fifth: what you see there was drawn by the switches.",
    ),
}
