"""The closed list of weaknesses that analyses, data sets and evaluation speak of."""

from enum import StrEnum


class VulnerabilityType(StrEnum):
    """What kind of weakness a finding is; labels come from its CWE and its rule."""

    INJECTION = "injection"
    CROSS_SITE_SCRIPTING = "cross_site_scripting"
    PATH_TRAVERSAL = "path_traversal"
    REQUEST_FORGERY = "request_forgery"
    UNSAFE_DESERIALIZATION = "unsafe_deserialization"
    BROKEN_ACCESS_CONTROL = "broken_access_control"
    BROKEN_AUTHENTICATION = "broken_authentication"
    SESSION_MANAGEMENT = "session_management"
    WEAK_CRYPTOGRAPHY = "weak_cryptography"
    WEAK_RANDOMNESS = "weak_randomness"
    INSECURE_TRANSPORT = "insecure_transport"
    SECRET_EXPOSURE = "secret_exposure"  # noqa: S105 - a kind of weakness, not a secret
    INFORMATION_DISCLOSURE = "information_disclosure"
    INPUT_VALIDATION = "input_validation"
    DENIAL_OF_SERVICE = "denial_of_service"
    MEMORY_SAFETY = "memory_safety"
    EXCESSIVE_PRIVILEGES = "excessive_privileges"
    INSECURE_CONFIGURATION = "insecure_configuration"
    BROWSER_PROTECTION = "browser_protection"
    SUPPLY_CHAIN = "supply_chain"
    VULNERABLE_DEPENDENCY = "vulnerable_dependency"
    OTHER = "other"
