"""provisional"""
from dagster_project.routing.roads.valhalla import Valhalla
def engine_for(settings, network):
    return Valhalla(network, threads=2)
