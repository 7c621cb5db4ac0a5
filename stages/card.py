"""Stage card: write the model card, metrics/model_card.md, from the figures of the other stages."""

from emotion.core.files import atomic_path
from emotion.core.guard import run_stage
from emotion.core.params import load_params
from emotion.core.paths import EVALUATION_METRICS, EXPORTED, MODEL_CARD
from emotion.reports.facts import read_facts
from emotion.reports.model_card import KINDS, Links, ModelFile, make_card

LINKS = Links(
    plots={name: f"plots/{name}.png" for name in ("confusion", "groups", "training")}, params="../params.yaml"
)


def main() -> None:
    """Read the figures of the other stages; write metrics/model_card.md."""
    params = load_params("source", "split", "labels", "features", "train", "evaluate")
    facts = read_facts(EVALUATION_METRICS.parent, params)
    files = [
        ModelFile(path, KINDS[name], facts.export[name]["bytes"], facts.export[name]) for name, path in EXPORTED.items()
    ]
    with atomic_path(MODEL_CARD) as temporary:
        temporary.write_text(make_card(facts, files, LINKS), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    run_stage(main)
