"""What holds for all tests: no test fails because the machine is busy."""

from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
