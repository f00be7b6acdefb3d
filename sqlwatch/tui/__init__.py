"""The dashboard: a sink that draws Snapshots and sends keys to a session; it computes no statistic."""
