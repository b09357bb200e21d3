"""What `ta` computes of volume; each line is a fact about `ta` 0.11."""

from __future__ import annotations

from conditions.indicators.memory import exponential, faded
from conditions.indicators.registry import Output
from conditions.indicators.ta_bridge import always, bridge, just, whole
from conditions.units import Unit

BARS = ("high", "low", "close", "volume")


def _one_more(window: int) -> int:
    return window + 1


bridge(
    "chaikin_money_flow",
    "volume.ChaikinMoneyFlowIndicator",
    "Volume weighted with where the close stands in its bar (-1 to 1), as a share of all volume.",
    sources=BARS,
    parameters=(whole("window", 20),),
    outputs={"chaikin_money_flow": Output(unit=Unit.RATIO, bounds=(-1.0, 1.0), warm_up=just(0))},
    memory=just(0),
    example="chaikin_money_flow(20) > 10%",
)
bridge(
    "force_index",
    "volume.ForceIndexIndicator",
    "The exponential mean of the change in price times volume.",
    sources=("close", "volume"),
    parameters=(whole("window", 13),),
    outputs={"force_index": Output(unit=Unit.VALUE, warm_up=_one_more)},
    memory=lambda window: window + 1 + faded(exponential(window)),
    example="crosses_above(force_index(13), 0)",
)
bridge(
    "ease_of_movement",
    "volume.EaseOfMovementIndicator",
    "How far the bars' middle moves for how little volume.",
    sources=("high", "low", "volume"),
    parameters=(whole("window", 14),),
    outputs={
        "ease_of_movement": Output("value", "of the newest bar", Unit.NUMBER, warm_up=always(2)),
        "sma_ease_of_movement": Output(
            "mean", "its mean over `window` bars", Unit.NUMBER, warm_up=_one_more
        ),
    },
    memory=_one_more,
    example="crosses_above(ease_of_movement(14).mean, 0)",
)
bridge(
    "acc_dist_index",
    "volume.AccDistIndexIndicator",
    "The sum of volume weighted with where the close stands in its bar.",
    sources=BARS,
    outputs={"acc_dist_index": Output(unit=Unit.VOLUME, warm_up=always(1))},
    example="rising(acc_dist_index(), 3)",
)
bridge(
    "volume_price_trend",
    "volume.VolumePriceTrendIndicator",
    "The sum of volume weighted with the change from bar to bar.",
    sources=("close", "volume"),
    outputs={"volume_price_trend": Output(unit=Unit.VOLUME, warm_up=always(2))},
    example="volume_price_trend() > 0",
)
bridge(
    "negative_volume_index",
    "volume.NegativeVolumeIndexIndicator",
    "1,000, moved by the change of every bar with less volume than the one before.",
    sources=("close", "volume"),
    outputs={"negative_volume_index": Output(unit=Unit.NUMBER, warm_up=always(1))},
    example="negative_volume_index() > 1010",
)
