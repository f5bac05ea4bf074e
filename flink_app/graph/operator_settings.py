"""From the configuration to what each operator is built with.

In: a `Config`. Out: the settings of the user learner and the item learner; those of `parse` are
in `flink_app.graph.event_settings`.
"""

from __future__ import annotations

from flink_app.config import Config
from flink_app.connections.redis_access import redis_settings
from udfs.learning.learner import LearnerSettings
from udfs.learning.user_shard import UserLearnerSettings
from udfs.operators.item_learner import ItemLearnerSettings
from udfs.ranking.recommender import ModelSettings
from udfs.state.layout import Layout


def layout(config: Config) -> Layout:
    """What must not change while the job keeps its state."""
    job, model = config.job, config.model
    return Layout(job.shards, job.item_shards, model.dimensions, model.loss)


def model_settings(config: Config) -> ModelSettings:
    """What lists are made by."""
    lists = config.lists
    return ModelSettings(
        served=lists.model,
        window=config.model.window,
        window_decay=config.model.window_decay,
        item_cf=config.item_cf,
        user_cf=config.user_cf,
        ranker=config.ranker,
        length=lists.length,
        exclude_consumed=lists.exclude_consumed,
        minimum_events=lists.minimum_events,
        popular_every_s=lists.popular_every_s,
        half_life_ms=config.model.popularity_half_life_s * 1000.0,
        trending_window_ms=lists.trending_window_s * 1000.0,
        search=lists.search,
        strict=config.job.strict,
    )


def user_learner_settings(
    config: Config, item_keys: list[int], window_ms: int = 0, born_ms: int = 0
) -> UserLearnerSettings:
    """The user learner's part; `item_keys` are the Flink keys of the item shards, `window_ms` is
    how long the micro-batches that it gets have gathered events."""
    model, lists, state = config.model, config.lists, config.state
    learner = LearnerSettings(
        dimensions=model.dimensions,
        learning_rate=model.learning_rate,
        regularisation=model.regularisation,
        negatives=model.negatives,
        loss=model.loss,
        rating_scale=config.events.rating_scale,
        seed=model.seed,
        similar_every_s=lists.similar_every_s,
        item_shards=config.job.item_shards,
        user_cache=state.user_cache,
        max_items=state.max_items,
        history=state.history,
        prefix=config.redis.prefix,
        expiry_s=config.redis.expiry_s,
        publish=config.redis.publish,
        factors=config.redis.factors,
        models=model_settings(config),
    )
    return UserLearnerSettings(
        learner=learner,
        layout=layout(config),
        gather_ms=0 if config.job.strict else window_ms,
        redis=redis_settings(config, born_ms),
        item_keys=item_keys,
        deduplicate_s=config.events.deduplicate_s,
        deduplicate_ids=config.events.deduplicate_ids,
        threads=config.job.threads,
        refresh_lists=lists.refresh,
        coalesce_ms=lists.coalesce_ms,
        overload_ms=lists.overload_ms,
        refill_per_s=config.redis.refill_per_s,
        user_expiry_days=state.user_expiry_days,
        item_expiry_days=state.item_expiry_days,
        keep_s=config.feed.keep_s,
        test_every=config.quality.every,
        test_models=config.quality.models,
        test_after=config.quality.after,
        test_sequential=config.quality.sequential,
        refresh_ms=max(1, config.feed.publish_ms // 2),
    )


def item_learner_settings(
    config: Config, item_keys: list[int], born_ms: int = 0
) -> ItemLearnerSettings:
    """The item learner's part; `item_keys` are the Flink keys of the item shards."""
    return ItemLearnerSettings(
        layout=layout(config),
        redis=redis_settings(config, born_ms),
        item_keys=item_keys,
        seed=config.model.seed,
        max_items=config.state.max_items,
        models=model_settings(config),
        item_expiry_days=config.state.item_expiry_days,
        publish_ms=config.feed.publish_ms,
        snapshot_s=config.feed.snapshot_s,
        keep_s=config.feed.keep_s,
        bytes_per_s=config.feed.megabytes_per_s * 1e6 / config.job.item_shards,
        follow=config.job.parallelism > 1 or config.redis.factors,
    )
