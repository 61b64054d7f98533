"""axolotl starts processes of its own, where torchvision must be importable too."""

from support.torchvision_stub import define_operators

define_operators()
