{{ staged('messaging_service_channel_senders', [
  ['messaging_service_sid', 'text', 'service_sid'],
  ['account_sid', 'text'],
  ['sender', 'text']
]) }}
