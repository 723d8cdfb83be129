"""Which handler answers which URL: route tables read from syntax trees, and the look-up."""

from secai_lib.route_mapping.build import route_table
from secai_lib.route_mapping.match import match_url
from secai_lib.route_mapping.table import Gap, Route, RouteTable, Service

__all__ = ["Gap", "Route", "RouteTable", "Service", "match_url", "route_table"]
