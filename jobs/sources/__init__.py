"""The guard of SQL: which databases a job may use, and what it may ask them."""

from jobs.sources.connect import Session, connect
from jobs.sources.statements import check_query
from jobs.sources.urls import MYSQL, POSTGRESQL, SQLITE, SqlUrl, parse

__all__ = ["MYSQL", "POSTGRESQL", "SQLITE", "Session", "SqlUrl", "check_query", "connect", "parse"]
