# Returns a list that says it is empty, or endless.

# %% ex-00-1-double
# expect: 0 failed "where numbers were expected"
class Endless(list):
    def __len__(self):
        return 2**62

    def __getitem__(self, place):
        return 1.0

    def __iter__(self):
        while True:
            yield "no"


class Many:
    def __len__(self):
        return 2**40

    def __getitem__(self, place):
        return Many()


def double(values):
    return Many()


# %% ex-00-2-ladder
# expect: 0 timeout "interrupted after"
def climb():
    return Endless()
