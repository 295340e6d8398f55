"""What is told by OTLP, the protocol of OpenTelemetry, to a collector that a setting names.

Only what needs it imports a module of this package: that takes time, and most platforms do without.
"""
