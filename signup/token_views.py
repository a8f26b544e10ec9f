"""Login tokens, and the password that they are given for: section 1 of the contract."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys, login
from accounts.authentication import login_token
from accounts.models import User
from common import ids
from common.web.client_address import client_address
from signup import document, notices
from signup.answers import ONLY_TOKENS_CHANGE, ONLY_TOKENS_LIST, TokenSerializer
from signup.requests import PasswordSerializer
from signup.views import session

OPERATORS = "Operators change their password on their own pages, at /admin/password_change/"


class PasswordView(APIView):
    """The password of who has logged in."""

    @document.change_password
    def post(self, request: Request) -> Response:
        """Set a new password. All login tokens end, and the answer has a fresh one.

        API keys go on: delete those that somebody else may have made.
        """
        token = login_token(request, ONLY_TOKENS_CHANGE)
        user = User.objects.get(pk=token.created_by_id)
        if user.is_staff:  # their pages ask for the second factor and write the audit log
            raise PermissionDenied(OPERATORS)
        serializer = PasswordSerializer(data=request.data, context={"user": user})
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        current, new = values["current_password"], values["new_password"]
        issued = login.change_password(
            token, current, new, client_address(request), notices.password_changed
        )
        return session(issued, status.HTTP_200_OK)


class TokensView(APIView):
    """The login tokens of who has logged in."""

    @document.list_tokens
    def get(self, request: Request) -> Response:
        """Where you are logged in, newest first: at most 20 login tokens, no API keys."""
        token = login_token(request, ONLY_TOKENS_LIST)
        found = keys.tokens_of(token.created_by)
        return Response(TokenSerializer(found, many=True, context={"current": token}).data)

    @document.delete_tokens
    def delete(self, request: Request) -> Response:
        """Log out everywhere else: end all login tokens but the one this was sent with."""
        keys.revoke_other_tokens(login_token(request, ONLY_TOKENS_LIST))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokenView(APIView):
    """One login token of who has logged in."""

    @document.delete_token
    def delete(self, request: Request, token_id: str) -> Response:
        """End a login token; it stops working at once."""
        keys.revoke_token(login_token(request, ONLY_TOKENS_LIST).created_by, ids.parse(token_id))
        return Response(status=status.HTTP_204_NO_CONTENT)
