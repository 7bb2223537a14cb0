# Follows the live stream of a shop and resumes where it stopped. It needs curl.
#     READ_KEY=xek_... sh follow.sh
# Settings, all from the environment: READ_KEY (scope `read`), XIAOER, SHOP, STORE.
# It stores a decision before it stores the `seq`: after a crash the last decision may be stored twice.
shop=${XIAOER:-http://127.0.0.1:7600}/v1/shops/${SHOP:-myshop} store=${STORE:-decisions.jsonl}
while :; do
  last=$(cat "$store.last" 2>/dev/null || echo 0)
  curl -sSfN "$shop/stream" -H "Authorization: Bearer $READ_KEY" -H "Last-Event-ID: $last" |
    while IFS= read -r line; do
      case $line in
        'id: '*) last=${line#id: } ;;
        'data: '*) printf '%s\n' "${line#data: }" >>"$store" ;;
        '') echo "$last" >"$store.new" && mv "$store.new" "$store.last" ;;
      esac
    done
  sleep 2
done
