"""Events that go out: who hears of what, signed, at least once, in the order of what it is about."""
