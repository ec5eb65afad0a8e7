"""From a model that passed to a version in the Model Registry, and the look-up of the champion."""
