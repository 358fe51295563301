"""What each row of "Adding to it" in docs/architecture.md adds, and a program that uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

# Every program begins with these. `forgotten` returns the images of a table that a predicate forgets.
PREAMBLE = """
from pathlib import Path
from typer.testing import CliRunner
from monai_unlearn.cli import app
from monai_unlearn.cohort import CohortSpec
from monai_unlearn.index import Index

def run(*words):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout

def forgotten(rule, *lines):
    Path("table.csv").write_text("\\n".join(lines) + "\\n")
    run("index", "from-table", "table.csv", "--id", "image", "--out", "index")
    head = "schema_version: 1\\nname: added\\nreason: other\\n"
    Path("spec.yaml").write_text(f"{head}forget: {rule}\\n")
    return CohortSpec.read("spec.yaml").resolve(Index.open("index")).image_ids["forget"]
"""


def after(anchor: str, text: str) -> tuple[str, str]:
    """Return the edit that puts text after an anchor."""
    return anchor, anchor + text


def before(anchor: str, text: str) -> tuple[str, str]:
    """Return the edit that puts text before an anchor."""
    return anchor, text + anchor


@dataclass(frozen=True, kw_only=True)
class Addition:
    """An addition to a copy of the repository.

    Attributes:
        files: New files, by path from the package or from the root of the repository.
        edits: Text to replace, and its replacement, by file.
        program: Uses the addition and prints something.
        prints: What it prints.
    """

    program: str
    prints: str
    files: dict[str, str] = field(default_factory=dict)
    edits: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def code(self) -> str:
        """Return the whole program."""
        return PREAMBLE + dedent(self.program)


READER = Addition(
    files={
        "index/readers/netpbm.py": '''
            """The reader of binary grey Netpbm images."""

            from typing import BinaryIO

            from monai_unlearn.index.faults import Fault
            from monai_unlearn.index.readers.row import FaultyFileError, Row

            FORMAT = "netpbm"


            def recognises(head: bytes) -> bool:
                """Return whether a file that begins with these bytes is one."""
                return head.startswith(b"P5\\n")


            def read(stream: BinaryIO) -> Row:
                """Return the row of a file."""
                _, size, _ = (stream.readline() for _ in range(3))
                columns, rows = map(int, size.split())
                if len(stream.read()) < columns * rows:
                    raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT})
                return {"format": FORMAT}
            '''
    },
    edits={
        "index/readers/__init__.py": [
            ("import dicom, image_table, nifti", "import dicom, image_table, netpbm, nifti"),
            ("in (dicom, nifti)", "in (dicom, nifti, netpbm)"),
        ]
    },
    program="""
        Path("images").mkdir()
        Path("images/a.pgm").write_bytes(b"P5\\n2 2\\n255\\n" + bytes(4))
        Path("images/b.pgm").write_bytes(b"P5\\n2 2\\n255\\n" + bytes(3))
        run("index", "build", "images", "--out", "built")
        print(Index.open("built").frame(["format", "fault"]).fillna("sound").values.tolist())
        """,
    prints="[['netpbm', 'sound'], ['netpbm', 'truncated']]",
)

FUNCTION = Addition(
    edits={
        "cohort/language/functions/numbers.py": [
            after(
                "NUMBERS = (\n",
                '    Function(name="twice", words="twice {0}", sql=lambda items: f"(2 * {items[0]})"),\n',
            )
        ]
    },
    program="""
        print(forgotten("twice(width) > 4", "image,width", "a,1", "b,2", "c,3", "d,"))
        """,
    prints="['c']",
)

STATISTIC = Addition(
    edits={
        "cohort/language/functions/statistics.py": [
            after(
                "STATISTICS = (\n",
                """    Statistic(
        name="share_of_range",
        words="the place of {0} in its range",
        meaning="how far the value lies from the smallest to the largest, from 0 to 1",
        aggregates=("MIN(x)", "MAX(x)"),
        value="({x} - {a0}) / NULLIF({a1} - {a0}, 0)",
    ),
""",
            )
        ]
    },
    program="""
        print(forgotten("share_of_range(width) > 0.5", "image,width", "a,10", "b,14", "c,17", "d,20", "e,"))
        """,
    prints="['c', 'd']",
)

COMMAND_GROUP = Addition(
    files={
        "cli/greeting.py": '''
            """`monai-unlearn greeting`: says hello."""

            import typer

            from monai_unlearn.cli.command import Command

            app = typer.Typer(help="Say hello.", no_args_is_help=True)


            @app.callback()
            def _group() -> None:
                pass


            @app.command(cls=Command)
            def say(name: str) -> None:
                """Say hello to somebody."""
                typer.echo(f"Hello {name}.")
            '''
    },
    edits={
        "cli/__init__.py": [
            ("    history,", "    greeting,\n    history,"),
            ("app.add_typer(phantom.app", 'app.add_typer(greeting.app, name="greeting")\napp.add_typer(phantom.app'),
        ]
    },
    program="""
        print(run("greeting", "say", "world"), end="")
        """,
    prints="Hello world.",
)

METHOD = Addition(
    files={
        "methods/ascent.py": '''
            """Gradient ascent on the forget part."""

            from collections.abc import Mapping
            from typing import Any

            from torch import Tensor
            from torch.nn.functional import cross_entropy

            from monai_unlearn.methods.base import Method
            from monai_unlearn.methods.registry import MethodInfo, register


            @register(
                MethodInfo(
                    name="ascent", paper="", equations="-loss", needs=("forget",), suits=(), batch_norm="any", cost=""
                )
            )
            class Ascent(Method):
                """Raises the loss of forget images."""

                def loss(self, batch: Mapping[str, Any]) -> Tensor:
                    """Return the negative cross entropy of the forget images."""
                    return -cross_entropy(batch["forget"]["image"], batch["forget"]["label"])
            '''
    },
    edits={
        "methods/__init__.py": [
            before("from monai_unlearn.methods.base import", "from monai_unlearn.methods.ascent import Ascent\n"),
            before('    "BoundarySearch",\n', '    "Ascent",\n'),
        ]
    },
    program="""
        from monai.bundle import ConfigParser
        from monai_unlearn.methods import info_of, registered
        method = ConfigParser({"method": {"_target_": "monai_unlearn.methods.Ascent"}}).get_parsed_content("method")
        print(info_of(method).name, registered()["ascent"][1] is type(method))
        """,
    prints="ascent True",
)

METRIC = Addition(
    files={
        "evaluation/metrics/errors.py": '''
            """The number of errors."""

            import math

            from monai_unlearn.evaluation.metrics.metric import Metric

            ERRORS = Metric(
                name="errors",
                description="how many images are classified incorrectly; lower is better",
                direction="lower_is_better",
                range=(0, math.inf),
                value=lambda predictions: float((~predictions.correct).sum()),
                interval=lambda predictions: None,
                difference=lambda a, b: None,
            )
            '''
    },
    edits={
        "evaluation/metrics/__init__.py": [
            after("import ACCURACY\n", "from monai_unlearn.evaluation.metrics.errors import ERRORS\n"),
            after("    ACCURACY,\n", "    ERRORS,\n"),
        ]
    },
    program="""
        import torch
        from monai_unlearn.card import schema
        from monai_unlearn.evaluation import Predictions
        from monai_unlearn.evaluation.metrics import registered
        predictions = Predictions(logits=torch.eye(2), labels=torch.tensor([0, 0]))
        print(registered()["errors"].measure(predictions)["value"], "errors" in str(schema()))
        """,
    prints="1.0 True",
)

PREDICTOR = Addition(
    files={
        "evaluation/predictors/as_before.py": '''
            """The original itself: that nothing changes."""

            from monai_unlearn.evaluation.predictors.predictor import Predictor

            AS_BEFORE = Predictor(
                name="as_before",
                description="what the original predicts",
                reasons=("other",),
                kind="rows",
                refuses=lambda shape: None if shape.forget else "there is nothing to forget.",
                make=lambda workshop, shape, seeds: [workshop.shifted("as_before", {})],
                proxies=1,
            )
            '''
    },
    edits={
        "evaluation/predictors/__init__.py": [
            before(
                "from monai_unlearn.evaluation.predictors.half_width",
                "from monai_unlearn.evaluation.predictors.as_before import AS_BEFORE\n",
            ),
            ("(NEVER_TRAINED, SHIFTED_ODDS,", "(AS_BEFORE, NEVER_TRAINED, SHIFTED_ODDS,"),
        ]
    },
    program="""
        from monai_unlearn.engine.predicted_target import wanted_predictors
        from monai_unlearn.evaluation.predictors import CohortShape, registered
        shape = CohortShape(reason="other", forget={}, remain={"a": 3})
        print(wanted_predictors("as_before")[0].name, registered()["as_before"].refusal(shape))
        """,
    prints="as_before there is nothing to forget.",
)

AUDIT = Addition(
    files={
        "evaluation/audits/images.py": '''
            """How many images there are to look at."""

            from monai_unlearn.evaluation.audits.audit import Audit
            from monai_unlearn.evaluation.audits.figure import Finding

            IMAGES = Audit(
                name="images",
                description="how many images there are",
                measure=lambda audited: Finding(facts={"images": len(audited.table.frame)}),
            )
            '''
    },
    edits={
        "evaluation/audits/__init__.py": [
            after("import EMBEDDINGS\n", "from monai_unlearn.evaluation.audits.images import IMAGES\n"),
            before("    EMBEDDINGS,\n", "    IMAGES,\n"),
        ]
    },
    program="""
        import numpy as np
        import pandas as pd
        from monai_unlearn.evaluation.audits import Audited, chosen
        from monai_unlearn.evaluation.prediction_table import Network, PredictionTable
        image = {"image_id": "a", "patient": "p", "part": "forget", "split": "test", "label": "x"}
        networks = (Network(name="original", role="original"), Network(name="revised", role="revised"))
        logits = {one.name: np.zeros((1, 2)) for one in networks}
        frame = pd.DataFrame([image])
        table = PredictionTable(frame=frame, class_names=("x", "y"), networks=networks, logits=logits)
        print(*(one.measure(Audited(table=table)).facts for one in chosen("images")))
        """,
    prints="{'images': 1}",
)

RENDERER = Addition(
    files={
        "card/one_line.py": '''
            """The difference in one line."""

            from collections.abc import Mapping
            from typing import Any


            def to_one_line(diff: Mapping[str, Any]) -> str:
                """Return which model was revised."""
                return f"{diff['base']['name']} was revised\\n"
            '''
    },
    edits={
        "card/renderers.py": [
            after("import to_markdown\n", "from monai_unlearn.card.one_line import to_one_line\n"),
            after("RENDERERS: Mapping[str, Renderer] = {\n", '    "card.txt": to_one_line,\n'),
        ]
    },
    program="""
        from monai_unlearn.card import RENDERERS
        print("card.txt" in RENDERERS, RENDERERS["card.txt"]({"base": {"name": "A"}}), end="")
        """,
    prints="True A was revised",
)

SPEC = Addition(
    files={
        "cohort_specs/small-images.yaml": """
            # Forget images of few rows. Images without Rows are undetermined.
            schema_version: 1
            name: small-images
            reason: policy_change
            forget: Rows < 100
            """
    },
    program="""
        specs = Path(__import__("monai_unlearn").__file__).parents[1] / "cohort_specs"
        print(run("cohort", "validate", str(specs / "small-images.yaml")).split()[0])
        """,
    prints="small-images:",
)

ALIAS_AND_KEYWORD = Addition(
    edits={
        "vocabulary/fields.yaml": [
            ("dicom:\n", "dicom:\n  KVP: number\n"),
            ("aliases:\n", "aliases:\n  voltage: [KVP]\n"),
        ]
    },
    program="""
        print(forgotten("voltage > 100", "image,KVP", "a,120", "b,80", "c,"))
        """,
    prints="['a']",
)

ADDITIONS = {
    "a reader of a file format": READER,
    "a function of the predicate language": FUNCTION,
    "a cohort statistic": STATISTIC,
    "a command group": COMMAND_GROUP,
    "a method": METHOD,
    "a metric": METRIC,
    "an audit": AUDIT,
    "a predictor of retraining": PREDICTOR,
    "a card renderer": RENDERER,
    "a cohort spec": SPEC,
    "an alias or a keyword": ALIAS_AND_KEYWORD,
}
