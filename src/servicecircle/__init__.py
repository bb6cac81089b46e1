"""Service circles of rest stations and partner shops for delivery riders, exactly, on the street network."""
