"""What a mutant is, and how its text is put into a file. Builds and runs nothing: that is run.py."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One deliberate weakening of a protocol, and the tests that must notice it."""
    name: str
    file: str      # below the project
    old: str       # is in the file exactly once
    new: str
    weakens: str   # the promise that is broken, for the table
    program: str   # the test program (a CMake target) that kills it
    tests: str     # a GoogleTest filter; names in full, so that --check can look for them
    repeat: int = 1         # rounds that are as good as sure to meet the race
    preset: str = "dev"     # tsan where x86 hides the weaker order, asan where the harm is silent
    environment: tuple = ()  # of pairs

    @property
    def command(self):
        """What to run, behind the program's directory; the same for mutants that the same run kills."""
        return (self.preset, self.program, self.tests, self.repeat, self.environment)

    def put_into(self, text):
        """The mutated text of the file. Raises ValueError where the table and the source have parted."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"mutant {self.name}: {self.file} has its text {count} times, not once; "
                             f"mend the table in tests/mutants/:\n{self.old}")
        if self.old == self.new:
            raise ValueError(f"mutant {self.name} changes nothing")
        return text.replace(self.old, self.new)
