import errno
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from conftest_types import Serve

from automl.errors import BadWeights, SourceUnavailable
from automl.models.backbones import HubSource, Naming
from automl.models.downloads import check_digest, check_reachable, check_source, download
