"""Sphinx's settings for the book. `course book` gathers the sources and calls Sphinx; see course_utils/book/site.py."""

from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile

from course_utils.book.docstrings import as_rest

project = "Recommender systems, graded"
html_title = project
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["generated"]  # pieces that other pages include
highlight_language = "none"

nb_execution_mode = "off"  # the solutions come executed
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Nothing is asked of another host: MathJax comes along, in one file that holds its fonts, too.
mathjax_path = "tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}  # the menu would fetch parts that are not there

autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # or every forward() would repeat what nn.Module says of it
autodoc_preserve_defaults = True
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}  # or it is written out: nine lines of what can become an array

add_module_names = False

html_theme = "sphinx_book_theme"
html_theme_options = {
    "home_page_in_toc": True,
    "logo": {"text": project},
    "navbar_persistent": [],  # the search field is in the sidebar
    "show_toc_level": 2,
    "footer_content_items": [],
    "use_download_button": False,  # of a page's notebook: the one to work in is in notebooks/
}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = [("book.js", {"priority": 200})]
html_use_index = html_domain_indices = False  # the search does it
html_show_sourcelink = False
html_copy_source = False


def rewrite_docstring(app, what, name, thing, options, lines):
    lines[:] = as_rest(lines)


def rewrite_signature(app, what, name, thing, options, signature, returns):
    return signature and signature.replace("<factory>", "..."), returns  # a dataclass's default that is made anew


def copy_mathjax(app):
    package = Path(find_spec("sphinx-mathjax-offline").origin).parent
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    copyfile(package / "static" / "mathjax" / "tex-svg.js", static / "tex-svg.js")


def setup(app):
    app.connect("autodoc-process-docstring", rewrite_docstring)
    app.connect("autodoc-process-signature", rewrite_signature)
    app.connect("builder-inited", copy_mathjax)
