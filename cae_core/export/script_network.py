"""A Keras network as source code: a line for every layer with weights, and only the arguments that matter."""

import copy
import inspect
import itertools
import json
from collections import Counter
from typing import Any

from cae_core.architectures.autoencoder import Autoencoder

WIDTH = 124
"""Characters of a line, at most, unless a single layer's call is longer."""

PREFIXES = {"keras.layers": "layers", "keras.initializers": "init"}
"""What the code calls modules of Keras; it uses `keras`, too."""


def source(model: Autoencoder) -> str:
    """Code that builds `encoder` and `decoder`, or those of `Autoencoder.written`, with the same layers and first weights.

    Args:
        model: the network; its trained weights do not matter.

    Raises:
        ValueError: a layer, named in the message, is not one of Keras's own or cannot be written down.
    """
    for part in model.written.values():
        for layer in part.layers:
            _refuse_own(layer)
    lines = []
    for (name, part), (first, what) in zip(model.written.items(), (("x", "an image"), ("z", "a code")), strict=False):
        lines.append(f"{first} = keras.Input({_literal(part.input_shape[1:], 'input')})  # {what}")
        lines += _Writer(part, first).lines(name)
    return "\n".join(lines)


class _Writer:
    """Writes one functional model. What a layer without weights gives is written where it is used, if it fits there.

    Attributes:
        values: by a tensor's id its expression and the variables in it.
        left: by variable how often it is still to be written.
    """

    def __init__(self, network: Any, first: str) -> None:
        self.network, self.first = network, first
        self.written: list[str] = []
        self.values: dict[int, tuple[str, list[str]]] = {}
        self.left: Counter[str] = Counter()
        nodes = [_node(op) for op in network.operations]
        self.uses = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)

    def lines(self, name: str) -> list[str]:
        outputs = [id(output) for output in self.network.outputs]
        for op in self.network.operations:
            node, tensor = _node(op), id(op.output)
            if not node.input_tensors:
                self.values[tensor] = (self.first, [self.first])
                self.left[self.first] = self.uses[tensor] + 1  # the last line has it, too
                continue
            self._call(tensor, _layer(op), node)
            if tensor not in outputs and (op.weights or self.uses[tensor] != 1):
                self._name(tensor)
        if len(self._last(name, outputs)) > WIDTH:
            for output in outputs:
                self._name(output)
        return [*self.written, self._last(name, outputs)]

    def _last(self, name: str, outputs: list[int]) -> str:
        values = ", ".join(self.values[output][0] for output in outputs)
        return f"{name} = keras.Model({self.first}, {values if len(outputs) == 1 else f'[{values}]'})"

    def _call(self, tensor: int, layer: str, node: Any) -> None:
        inputs = [id(t) for t in node.input_tensors]
        if len(self._expression(layer, inputs, node)) + len("h2 = ") > WIDTH:
            for value in inputs:
                if not self.values[value][0].isidentifier():
                    self._name(value)
        variables = [name for value in inputs for name in self.values[value][1]]
        self.values[tensor] = (self._expression(layer, inputs, node), variables)

    def _expression(self, layer: str, inputs: list[int], node: Any) -> str:
        values = ", ".join(self.values[value][0] for value in inputs)
        return f"{layer}([{values}])" if isinstance(node.arguments.args[0], list | tuple) else f"{layer}({values})"

    def _name(self, tensor: int) -> None:
        """Writes the line that gives a value a name; names whose value is used up are used again."""
        value, variables = self.values[tensor]
        self.left.subtract(variables)
        name = next(name for i in range(1, 1000) if not self.left[name := f"h{i}" if i > 1 else "h"])
        self.written.append(f"{name} = {value}")
        self.values[tensor], self.left[name] = (name, [name]), max(1, self.uses[tensor])


def _node(op: Any) -> Any:
    """Where the network uses a layer."""
    if len(op._inbound_nodes) != 1:
        raise ValueError(f"The layer {op.name!r} is used {len(op._inbound_nodes)} times; the script export takes 1.")
    node = op._inbound_nodes[0]
    more = {key: value for key, value in node.arguments.kwargs.items() if value is not None}
    # What Keras notes for a dropout, and for resizing, which does the same whether it trains or not.
    noted = ({}, {"training": False}, *([{"training": True}] if type(op).__name__ == "Resizing" else []))
    plain = len(node.arguments.args) == 1 and more in noted
    if node.input_tensors and not plain:
        raise ValueError(f"The layer {op.name!r} is called with more than its input; the script export takes no such call.")
    return node


def _refuse_own(op: Any) -> None:
    import keras

    if getattr(keras.layers, type(op).__name__, None) is not type(op):
        raise ValueError(
            f"The layer {op.name!r} is a {type(op).__name__}, which is not one of keras.layers: "
            "a script that needs only Keras cannot build it."
        )


def _layer(op: Any) -> str:
    _refuse_own(op)
    return _construction(type(op), op.get_config(), "layers", op.name)


def _construction(kind: type, config: dict[str, Any], module: str, layer: str) -> str:
    """The shortest call of `kind` that gives an object of this configuration, whatever its name."""

    def same(arguments: dict[str, Any]) -> bool:
        try:
            rebuilt = kind.from_config(copy.deepcopy(arguments)).get_config()
        except Exception:  # an argument that is needed is missing, or has another form
            return False
        return {**rebuilt, "name": None} == {**config, "name": None}

    arguments = {key: value for key, value in config.items() if key != "name"}
    for key in list(arguments):
        rest = {k: v for k, v in arguments.items() if k != key}
        value = arguments[key]
        if same(rest):
            arguments = rest
        elif isinstance(value, list | tuple) and len(set(value)) == 1 and same({**rest, key: value[0]}):
            arguments[key] = value[0]
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    needed = [p.name for p in parameters if p.default is p.empty or p is parameters[0]]

    def says_what_it_is(name: str) -> bool:  # a word does, a number does not: Dense(32, "relu"), Conv2D(32, 3, strides=2)
        return name in arguments and (name in needed or isinstance(arguments[name], str))

    first = list(itertools.takewhile(says_what_it_is, (p.name for p in parameters)))
    texts = [_literal(arguments.pop(key), layer) for key in first]
    texts += [f"{key}={_literal(value, layer)}" for key, value in arguments.items()]
    return f"{module}.{kind.__name__}({', '.join(texts)})"


def _literal(value: Any, layer: str) -> str:
    """A configuration's value as source code; objects of Keras are constructed."""
    if isinstance(value, str):
        return json.dumps(value)
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        values = [_literal(item, layer) for item in value]
        return f"({', '.join(values)}{',' if len(values) == 1 else ''})"
    module = value.get("module") if isinstance(value, dict) else None
    if not (isinstance(module, str) and module.split(".")[0] == "keras" and value.get("registered_name") is None):
        raise ValueError(f"The layer {layer!r} has a setting that cannot be written as code of Keras alone: {value!r}.")
    from keras import saving

    kind = type(saving.deserialize_keras_object(copy.deepcopy(value)))
    return _construction(kind, value["config"], PREFIXES.get(module, module), layer)
