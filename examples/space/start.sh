#!/bin/sh
# Prepares the demo, then opens it to everybody at https://$SPACE_HOST, where Hugging Face ends TLS.
#   SPACE_HOST  the public name; Hugging Face sets it
#   PORT        where the proxy looks for it: app_port in README.md
#   DEMO        the folder of the demo
set -eu
exec monai-unlearn studio --demo "${DEMO:-$HOME/demo}" --host 0.0.0.0 --port "${PORT:-7860}" \
  --behind-proxy "https://${SPACE_HOST:?the public name of this host, such as someone-studio.hf.space}"
