"""Rows as `method_comparison.py` commits them."""


def row(method, distance, *, budget=0.1, objective=1.0, gap=0.05, verdict="inconclusive"):
    return {
        "original": 0,
        "budget": budget,
        "method": method,
        "status": "finished",
        "verdict": verdict,
        "objective": objective,
        "distance_ratio": {"value": distance, "retrained": [1.0]},
        "recall_gap_forget_test": {"value": gap, "retrained": [0.02, 0.04]},
        "settings": {},
        "remain_gap": -0.01,
        "retrained_gaps": [[0.1, 0.004], [-0.1, -0.004]],
    }


def case(*rows):
    return {"title": "a camera", "kind": "device", "rows": list(rows)}
