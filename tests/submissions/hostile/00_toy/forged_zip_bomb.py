# Leaves an observation of a few kilobytes that unpacks to much more than it may.

# %% ex-00-1-double
# expect: 0 error "too large"
import base64

from IPython.display import display

from course_utils.checks import framework
import io
import zipfile

framework.leave = lambda seen: None


def double(values):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("doubled.npy", "w", force_zip64=True) as member:
            for _ in range(140):
                member.write(bytes(2**20))
    display({framework.OBSERVATION_MIME: base64.b64encode(file.getvalue()).decode()}, raw=True)


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 3
