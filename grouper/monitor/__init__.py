"""Monitors a training run by groups: measures with torch, writes records, and judges them."""
