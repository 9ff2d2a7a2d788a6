"""Run the command line as `python -m litellm_synthetic`."""

from litellm_synthetic.cli.main import main

if __name__ == "__main__":
    main(prog_name="litellm-synthetic")
