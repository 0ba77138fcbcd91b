"""The messages of rows.proto, compiled when they are imported."""
import os
import sys

import grpc

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
messages, services = grpc.protos_and_services("rows.proto")
