"""Votes of polls without Redis."""

from collections import Counter

from publish.polls.votes import Count, PollKey, Votes


class CountedVotes(Votes):
    """Votes in memory."""

    def __init__(self) -> None:
        self.voters: set[tuple[PollKey, bytes]] = set()
        self.counted: Counter[str] = Counter()
        self.asked = 0

    async def key(self) -> bytes:
        """Some key."""
        return b"k" * 32

    async def vote(self, poll: PollKey, option: str, voter: bytes) -> bool:
        """Count it once."""
        if (poll, voter) in self.voters:
            return False
        self.voters.add((poll, voter))
        self.counted[option] += 1
        return True

    async def count(self, poll: PollKey) -> Count:
        """What was counted."""
        self.asked += 1
        return Count(dict(self.counted), is_whole=True)
