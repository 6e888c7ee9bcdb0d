# For the stock nbgrader commands and the formgrader, run from this folder.
# traitlets provides get_config. The settings themselves: course_utils/grading/nbgrader_settings.py
from pathlib import Path

from course_utils.grading.nbgrader_settings import stock_settings

get_config().merge(stock_settings(Path(__file__).resolve().parent))  # noqa: F821
