"""DICOMweb (PS3.18): searching (QIDO-RS), retrieving (WADO-RS) and storing (STOW-RS) with one archive."""
