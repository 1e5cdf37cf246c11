"""SMART App Launch 2.x: logging in as a program, and being launched from a patient's chart."""

from connectors.fhir.smart.backend import BackendServices
from connectors.fhir.smart.kept import LaunchLogin
from connectors.fhir.smart.key import SigningKey
from connectors.fhir.smart.launch import Registration, begun, code_of
from connectors.fhir.smart.launched import Launched, launched
from connectors.fhir.smart.user import User

__all__ = [
    "BackendServices",
    "LaunchLogin",
    "Launched",
    "Registration",
    "SigningKey",
    "User",
    "begun",
    "code_of",
    "launched",
]
