"""Results of runs as files in a directory or a bucket, for programs that look at many runs."""
