"""When Dagster starts a corpus step by itself."""

import dagster as dg


def when_parents_are_good() -> dg.AutomationCondition[dg.AssetKey]:
    """Run when a parent changed and its blocking checks passed.

    Plain `eager()` waits for every partition of a parent; one expired scan run would stop the
    corpus for ever, so missing partitions are left out (the step quarantines them itself).
    """
    condition = dg.AutomationCondition
    return (
        condition.eager().without(~condition.any_deps_missing())
        & condition.all_deps_blocking_checks_passed()
    )


def when_new(asset: str) -> dg.AutomationCondition[dg.AssetKey]:
    """Run when the parent `asset` is new, whatever else changed, and all blocking checks passed.

    For a step behind one that people start: until they did, the other parents do not fit to it.
    """
    condition = dg.AutomationCondition
    return (
        condition.eager()
        .without(~condition.any_deps_missing())
        .allow(dg.AssetSelection.assets(asset))
        & condition.all_deps_blocking_checks_passed()
    )


def automation_sensor(*, autostart: bool) -> dg.AutomationConditionSensorDefinition:
    """The sensor that evaluates the conditions; switched on in the UI or by `autostart`."""
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target="*",
        default_status=dg.DefaultSensorStatus.RUNNING
        if autostart
        else dg.DefaultSensorStatus.STOPPED,
        minimum_interval_seconds=60,
    )
