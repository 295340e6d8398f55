"""Load tests made from what people have already: recordings, API descriptions, collections, curl.

Each source format is one file that reads it into the requests of ``model``, and ``script_writer``
writes them as a test. ``formats`` finds out which format a file has.
"""
