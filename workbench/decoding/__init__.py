"""What runs between a sample and a decision. Strict by folder: no BLAS, no LAPACK, no libm, nothing learned.

Updates of a decoder that adapts are part of it; each is a snapshot in a chain of hashes.
"""
