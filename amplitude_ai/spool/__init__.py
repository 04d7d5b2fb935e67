"""Events on disk until Amplitude has acknowledged them: what a process leaves behind, the next one sends."""
