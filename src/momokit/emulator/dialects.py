"""MTN's ways to say no: the gateway's, the token endpoint's, the wallet's, and the empty body."""

from __future__ import annotations

from .exchange import JSON, Reply, json_reply

# What the wallet says beside each code. Callers must go by the code, never by these words.
MESSAGES = {
    "RESOURCE_NOT_FOUND": "Requested resource was not found.",
    "RESOURCE_ALREADY_EXIST": "Duplicated reference id. Creation of resource failed.",
    "SERVICE_UNAVAILABLE": "Service temporarily unavailable, try again later.",
    "NOT_ALLOWED_TARGET_ENVIRONMENT": "Access to target environment is forbidden.",
    "INTERNAL_PROCESSING_ERROR": "An internal error occurred while processing.",
    "NOT_ALLOWED": "Authorization failed. Insufficient permissions.",
    "INVALID_CURRENCY": "Currency not supported.",
    "INVALID_CALLBACK_URL_HOST": "Callback URL host does not match the registered host.",
    "PAYER_NOT_FOUND": "The payer does not exist.",
    "PAYEE_NOT_FOUND": "The payee does not exist.",
    "NOT_ENOUGH_FUNDS": "The payer's funds are not sufficient.",
    "PAYER_LIMIT_REACHED": "The payer's limit has been reached.",
    "PAYEE_NOT_ALLOWED_TO_RECEIVE": "The payee cannot receive this payment.",
    "APPROVAL_REJECTED": "The payer declined.",
    "EXPIRED": "The approval window has passed.",
    "COULD_NOT_PERFORM_TRANSACTION": "The transaction could not be carried out.",
    "VALIDATION_ERROR": "The request is not valid.",
    "NOT_SUCCESSFULLY_COMPLETED": "The payment has not been completed.",
    "TOO_LATE": "The time for a notification has passed.",
    "TOO_MANY_REQUESTS": "A notification has already been sent.",
}
_STATUS = {"RESOURCE_NOT_FOUND": 404, "RESOURCE_ALREADY_EXIST": 409, "SERVICE_UNAVAILABLE": 503}
_INVALID_KEY = (
    "Access denied due to invalid subscription key. "
    "Make sure to provide a valid key for an active subscription."
)
_MISSING_KEY = "Access denied due to missing subscription key. Include it in the request's headers."


def message(code: str) -> str:
    """Say a code in the wallet's words."""
    return MESSAGES.get(code, code.replace("_", " ").capitalize() + ".")


def wallet(code: str, *, status: int = 0) -> Reply:
    """Refuse as the wallet platform does; most of its refusals are 500s, final ones too."""
    return json_reply(status or _STATUS.get(code, 500), {"message": message(code), "code": code})


def gateway(status: int, words: str) -> Reply:
    """Refuse as the API gateway does."""
    return json_reply(status, {"statusCode": status, "message": words})._replace(
        headers=(("content-type", "application/json"),)
    )


def no_subscription(product: str, *, base_url: str, missing: bool) -> Reply:
    """Refuse a subscription key that is absent or not this product's."""
    realm = f"{base_url}/{product}".rstrip("/")
    challenge = (
        f'AzureApiManagementKey realm="{realm}",name="Ocp-Apim-Subscription-Key",type="header"'
    )
    refused = gateway(401, _MISSING_KEY if missing else _INVALID_KEY)
    return refused._replace(
        headers=(*refused.headers, ("www-authenticate", challenge)), phrase="Access Denied"
    )


def token_error(error: str, *, status: int = 401) -> Reply:
    """Refuse as the token endpoints do."""
    return Reply(status, JSON, b'{"error":"%s"}' % error.encode())


def html(status: int, title: str) -> Reply:
    """Answer with a page for people, as the machines in front of the gateway do."""
    page = (
        f"<!DOCTYPE html><html><head><title>{title}</title></head>"
        f"<body><h2>{title}</h2><hr><p>HTTP Error {status}</p></body></html>\r\n"
    )
    return Reply(status, (("content-type", "text/html; charset=us-ascii"),), page.encode())
