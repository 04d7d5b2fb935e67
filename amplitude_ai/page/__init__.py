"""The page: the local store in a browser, on this machine only. Extra ``ui`` (starlette, uvicorn, jinja2).

What is asked of the store is in `look`; here is who may ask (`_guard`), the pages (`_pages`) and their charts.
"""
