"""The Jinja environment of a script: what it may use, and how what it prints becomes text and never markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateSyntaxError, nodes, pass_eval_context
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from metta_audio.errors import did_you_mean
from metta_audio.script.budget import STRING_LIMIT, Budget, bounded, calculate, weight
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
_CUE_LIKE = re.compile(r"\[[^\[\]]*\]")
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
            cache_size=-1,  # each part is read and compiled once, however often a loop includes it
        )
        self.marks, self.budget, self.trace = marks, Budget(), trace
        self.globals.clear()
        self.globals.update(range=self.count, namespace=Namespace)
        self.filters.clear()
        self.filters.update({name: self.paid(filter_) for name, filter_ in FILTERS.items()})
        tests: dict[str, Any] = dict(self.tests)
        self.tests = {name: self.paid(test) for name, test in tests.items() if name in _TESTS}

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
        """Count every call by what it works on, and the text that a macro gives back."""
        self.budget.step(weight(getattr(obj, "__self__", None), *args, *kwargs.values()))
        result = bounded(super().call(context, obj, *args, **kwargs))
        if isinstance(result, Markup):
            self.budget.print(len(result))
        elif isinstance(result, list):
            self.budget.step(weight(result))
        return result

    def paid(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a filter or test: paid for by the size of what it works on, its result bounded."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.budget.step(weight(*args, *kwargs.values()))
            return bounded(work(*args, **kwargs))

        return counted

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - Jinja's signature
        """Calculate within bounds."""
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)  # raises: say that the name is unknown, rather than that it is no number
        self.budget.step(weight(left, right))
        return calculate(operator, left, right)

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002 - Jinja's name
        """Count every include."""
        self.budget.step()
        return super().get_template(name, parent, globals)

    # The counting transformer calls these from inside templates:

    def spend(self, steps: int) -> None:
        """Pay for the body of a macro, a part or the script itself."""
        self.budget.step(steps)

    def turns(self, iterable: Any, steps: int, characters: int) -> list[Any]:
        """Every turn of a loop, paid for before the first: the ``steps`` and ``characters`` of its body."""
        if not isinstance(iterable, Iterable):
            raise TypeError(f"{kind(iterable)} cannot be looped over")
        turns = list(iterable)
        self.budget.step(len(turns) * steps)
        self.budget.print(len(turns) * characters)
        return turns

    def joined(self, *pieces: Any) -> str:
        """``a ~ b``: markup if a piece is markup (then the other pieces become values), else text."""
        if any(isinstance(piece, Markup) for piece in pieces):
            return Markup("").join(self.say(piece) for piece in pieces)
        text = bounded("".join(map(plain, pieces)))
        return Private(text) if private(*pieces) else str(text)

    @staticmethod
    def weighed(value: Any) -> Any:
        """``value`` itself, within bounds: ``call`` has counted its size."""
        return bounded(value)

    def count(self, *bounds: int) -> list[int]:
        """``range``, bounded."""
        numbers = range(*(int(bound) for bound in bounds))
        return list(bounded(list(numbers[:1_001])))

    def say(self, value: Any) -> Markup:
        """Turn what an expression prints into a mark; the text of macros and set-blocks is markup already."""
        if isinstance(value, Markup):
            self.budget.print(len(value))
            return value
        text, secret = plain(value), private(value)
        self.budget.step(weight(text))
        self.budget.print(len(text))
        if secret:
            text = _without_brackets(text)
        elif _CUE_LIKE.search(text):
            raise TypeError("a printed value is never a cue: write the [ and ] in the text, around the {{ }}")
        return Markup(self.marks.value(text, private=secret))  # noqa: S704 - a mark holds no markup


def _without_brackets(text: str) -> str:
    """A listener's words without square brackets: what is in brackets is never spoken, but their words are."""
    return re.sub(r"[\[\]]", "", re.sub(r"(?<=\w)[\[\]]+(?=\w)", " ", text))


@pass_eval_context
def _say(eval_context: Any, value: Any) -> Markup:
    # With a context argument Jinja cannot call this while compiling, so nothing is printed before it is counted.
    said: Markup = eval_context.environment.say(value)
    return said


class _Counting(NodeTransformer):
    """Rewrites a template so that whatever takes time goes through the sandbox's counting methods.

    Each body pays for its own expressions and tags: that of a loop at every turn, that of a macro at every call.
    """

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        if (reason := _FORBIDDEN.get(type(node))) is not None:
            raise TemplateSyntaxError(reason, node.lineno)
        return super().generic_visit(node, *args, **kwargs)

    def visit_Template(self, node: nodes.Template) -> nodes.Node:  # noqa: N802
        return self._paying(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return self._paying(node)

    def _paying(self, node: nodes.Template | nodes.Macro) -> nodes.Node:
        steps, _ = _cost(node.iter_child_nodes())
        self.generic_visit(node)
        payment = nodes.ExprStmt(_through("spend", node, nodes.Const(steps)))
        node.body.insert(0, payment.set_lineno(node.lineno))
        return node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802
        if isinstance(node.value, str) and len(node.value) > STRING_LIMIT:
            raise TemplateSyntaxError(f"a text in quotes has more than {STRING_LIMIT:,} characters", node.lineno)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _through("weighed", node, node.expr)
        for operand in node.ops:
            operand.expr = _through("weighed", node, operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("weighed", node, node) if isinstance(node.arg, nodes.Slice) else node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's naming
        if node.recursive:
            raise TemplateSyntaxError("recursive loops are not used here", node.lineno)
        steps, characters = _cost([*node.body, node.test] if node.test else node.body)
        self.generic_visit(node)
        node.iter = _through("turns", node.iter, node.iter, nodes.Const(1 + steps), nodes.Const(characters))
        return node

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802
        if not (isinstance(node.template, nodes.Const) and isinstance(node.template.value, str)):
            raise TemplateSyntaxError('include wants a plain name, such as "_parts/opening.md"', node.lineno)
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
        return _through("weighed", node, node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("weighed", node, node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("weighed", node, node) if node.ctx == "load" else node


def _through(method: str, node: nodes.Node, *args: nodes.Node) -> nodes.Call:
    call = nodes.Call(nodes.EnvironmentAttribute(method), list(args), [], None, None)
    return call.set_lineno(node.lineno)  # type: ignore[return-value]


def _cost(body: Iterable[nodes.Node]) -> tuple[int, int]:
    """Count the steps and characters of a body, without those of inner loops and macros, which pay for their own."""
    steps = characters = 0
    for node in body:
        steps += 1
        if isinstance(node, nodes.TemplateData):
            characters += len(node.data)
            continue
        if isinstance(node, nodes.Macro):
            continue
        inner = [node.iter, *node.else_] if isinstance(node, nodes.For) else node.iter_child_nodes()
        inner_steps, inner_characters = _cost(inner)
        steps, characters = steps + inner_steps, characters + inner_characters
    return steps, characters
