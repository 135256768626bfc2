"""The Jinja environment of a script: what it may use, and how what it prints becomes text and never markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateSyntaxError, nodes, pass_eval_context
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from metta_audio.errors import did_you_mean
from metta_audio.script.budget import Budget, bounded, calculate
from metta_audio.script.marks import Marks
from metta_audio.script.values import FILTERS, Private, kind, plain, private

_TEXT_METHODS = frozenset({"lower", "upper", "title", "strip", "startswith", "endswith", "split", "capitalize"})
_ATTRIBUTES: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _TEXT_METHODS),
    (dict, frozenset({"get", "items", "keys", "values"})),
    (
        LoopContext,
        frozenset(
            {"index", "index0", "revindex", "revindex0", "first", "last", "length", "cycle", "previtem", "nextitem"}
        ),
    ),
)
_TESTS = frozenset(
    {"defined", "undefined", "none", "odd", "even", "divisibleby", "number", "string", "in"}
) | frozenset({"==", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge"})
_FORBIDDEN: dict[type[nodes.Node], str] = {
    nodes.Import: "import is not used here: macros live in the script, shared text comes by include",
    nodes.FromImport: "import is not used here: macros live in the script, shared text comes by include",
    nodes.Extends: "extends is not used here: shared text comes by include",
    nodes.Block: "block is not used here: shared text comes by include",
    nodes.FilterBlock: "filter blocks are not used here: put the filter inside {{ … }}",
    nodes.CallBlock: "call blocks are not used here: call the macro inside {{ … }}",
    nodes.ScopedEvalContextModifier: "autoescape is not used here",
}


class Unknown(StrictUndefined):
    """A name or attribute that is not there: using it is an error that says so in plain words."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f'"{self._undefined_name}" is not defined'
        return _has_no(self._undefined_obj, self._undefined_name)


def _has_no(obj: object, name: object) -> str:
    """Say that ``obj`` has no attribute or element ``name``, and what it has."""
    allowed = next((names for of, names in _ATTRIBUTES if isinstance(obj, of)), frozenset[str]())
    word = "…" if isinstance(name, Private) else str(name)[:40]
    hint = did_you_mean(word, (str(key) for key in obj) if isinstance(obj, dict) else allowed)
    return f'{kind(obj)} has no "{word}"' + (f"; {hint}" if hint else "")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with a short list of what is allowed, everything counted, and values kept apart from markup."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, loader: BaseLoader, marks: Marks, trace: Callable[[Sandbox, str], str]) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            finalize=_say,
            undefined=Unknown,
            keep_trailing_newline=True,
            optimized=False,  # folding constants would compute before anything is counted
            cache_size=64,
        )
        self.marks, self.budget, self.trace = marks, Budget(), trace
        self.globals.clear()
        self.globals.update(range=self.count, namespace=Namespace)
        self.filters.clear()
        self.filters.update(FILTERS)
        self.tests = {name: test for name, test in self.tests.items() if name in _TESTS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:  # noqa: ARG002 - trace() knows it
        template = super()._parse(self.trace(self, filename or ""), name, filename)
        counted = _Counting().visit(template)
        assert isinstance(counted, nodes.Template)  # noqa: S101 - the transformer returns the root it was given
        return counted

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow what the lists above name, and what a namespace was given."""
        if not super().is_safe_attribute(obj, attr, value):
            return False
        return isinstance(obj, Namespace) or any(isinstance(obj, of) and attr in names for of, names in _ATTRIBUTES)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Treat what is not allowed as what is not there."""
        return self.undefined(_has_no(obj, attribute), obj=obj, name=attribute)

    def wrap_str_format(self, value: Any) -> None:
        """``format`` is not among the allowed methods; nothing to wrap."""

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Count every call, and the text that a macro gives back."""
        self.budget.step()
        result = super().call(context, obj, *args, **kwargs)
        if isinstance(result, Markup):
            self.budget.print(len(result))
        return result

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - Jinja's signature
        """Calculate within bounds."""
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)  # raises: say that the name is unknown, rather than that it is no number
        return calculate(operator, left, right)

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002 - Jinja's name
        """Count every include."""
        self.budget.step()
        return super().get_template(name, parent, globals)

    # The counting transformer calls these from inside templates:

    def turns(self, iterable: Any, data_size: int) -> list[Any]:
        """Every turn of a loop, paid for before the first: steps, and the ``data_size`` characters of its body."""
        if not isinstance(iterable, Iterable):
            raise TypeError(f"{kind(iterable)} cannot be looped over")
        turns = list(iterable)
        self.budget.step(len(turns))
        self.budget.print(len(turns) * data_size)
        return turns

    def joined(self, *pieces: Any) -> str:
        """``a ~ b``: markup if a piece is markup (then the other pieces become values), else text."""
        if any(isinstance(piece, Markup) for piece in pieces):
            return Markup("").join(self.say(piece) for piece in pieces)
        text = bounded("".join(map(plain, pieces)))
        return Private(text) if private(*pieces) else str(text)

    bounded = staticmethod(bounded)

    def count(self, *bounds: int) -> list[int]:
        """``range``, bounded."""
        numbers = range(*(int(bound) for bound in bounds))
        return list(bounded(list(numbers[:1_001])))

    def say(self, value: Any) -> Markup:
        """Turn what an expression prints into a mark; the text of macros and set-blocks is markup already."""
        if isinstance(value, Markup):
            self.budget.print(len(value))
            return value
        text = plain(value)
        self.budget.print(len(text))
        return Markup(self.marks.value(text, private=private(value)))  # noqa: S704 - a mark holds no markup


@pass_eval_context
def _say(eval_context: Any, value: Any) -> Markup:
    # With a context argument Jinja cannot call this while compiling, so nothing is printed before it is counted.
    said: Markup = eval_context.environment.say(value)
    return said


class _Counting(NodeTransformer):
    """Rewrites a template so that loops, joins and lists go through the sandbox's counting methods."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        if (reason := _FORBIDDEN.get(type(node))) is not None:
            raise TemplateSyntaxError(reason, node.lineno)
        return super().generic_visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's naming
        if node.recursive:
            raise TemplateSyntaxError("recursive loops are not used here", node.lineno)
        data_size = sum(len(data.data) for data in _own_data(node.body))
        self.generic_visit(node)
        node.iter = _through("turns", node.iter, node.iter, nodes.Const(data_size))
        return node

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802
        if not (isinstance(node.template, nodes.Const) and isinstance(node.template.value, str)):
            raise TemplateSyntaxError('include wants a plain name, such as "parts/opening.md"', node.lineno)
        if node.ignore_missing:
            raise TemplateSyntaxError("a part that is missing is an error: leave out “ignore missing”", node.lineno)
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802
        if node.filter is not None:
            raise TemplateSyntaxError("a set block takes no filter", node.lineno)
        return self.generic_visit(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("joined", node, *node.nodes)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("bounded", node, node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("bounded", node, node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("bounded", node, node) if node.ctx == "load" else node


def _through(method: str, node: nodes.Node, *args: nodes.Node) -> nodes.Call:
    call = nodes.Call(nodes.EnvironmentAttribute(method), list(args), [], None, None)
    return call.set_lineno(node.lineno)  # type: ignore[return-value]


def _own_data(body: list[nodes.Node]) -> Iterable[nodes.TemplateData]:
    """Template text in the body of a loop, without that of inner loops, which pay for their own."""
    for node in body:
        if isinstance(node, nodes.TemplateData):
            yield node
        elif not isinstance(node, nodes.For):
            yield from _own_data(list(node.iter_child_nodes()))
