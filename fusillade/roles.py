"""What the members of an organisation may do.

All may use tests and everything that belongs to them, and manage their own API keys. An ``admin``
also manages the team, its invitations and everybody's API keys; an ``owner`` may in addition invite
and remove owners. An organisation keeps at least one owner.
"""

from fusillade.errors import Forbidden

ROLES = ("owner", "admin", "member")


def need_team_manager(role: str) -> None:
    """Raises :class:`Forbidden` for a member."""
    if role not in ("owner", "admin"):
        raise Forbidden("Only an owner or admin of the organisation may manage its team.")


def need_inviter(role: str, invited: str) -> None:
    """Raises :class:`Forbidden` for whoever may not give the role ``invited``."""
    need_team_manager(role)
    if invited == "owner" and role != "owner":
        raise Forbidden("Only an owner may invite another owner.")


def need_remover(role: str, removed: str, owners: int) -> None:
    """Raises :class:`Forbidden` for whoever may not remove a ``removed``, one of ``owners``."""
    need_team_manager(role)
    if removed == "owner":
        if role != "owner":
            raise Forbidden("Only an owner may remove an owner.")
        if owners < 2:
            raise Forbidden("The last owner cannot be removed: invite another owner first.")


def manages_keys_of_others(role: str) -> bool:
    """Whether all API keys of the organisation are seen and deleted, not only one's own."""
    return role in ("owner", "admin")
