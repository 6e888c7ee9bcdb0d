// A page opened from a folder may not read other pages, so a search shows titles there; served, it shows extracts, too.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
