"""The checks of lesson 04, taste clusters.

Every world is planted: ids with gaps, groups far apart, films whose means are known, so that what is right follows from
how the world was made. Sums and means are worked out again by slow loops, partitions by scikit-learn.
"""

from course_utils.checks.progress import progress
from course_utils.checks.taste_clusters.clusters import stability, user_clusters
from course_utils.checks.taste_clusters.films import cluster_sums, damped_means
from course_utils.checks.taste_clusters.ids import ratings_dataset, two_way_ids
from course_utils.checks.taste_clusters.loop import fit, whole_batches
from course_utils.checks.taste_clusters.profiles import genre_profile, nearest_films
from course_utils.checks.taste_clusters.recommend import recommend

__all__ = [
    "cluster_sums",
    "damped_means",
    "fit",
    "genre_profile",
    "nearest_films",
    "progress",
    "ratings_dataset",
    "recommend",
    "stability",
    "two_way_ids",
    "user_clusters",
    "whole_batches",
]
