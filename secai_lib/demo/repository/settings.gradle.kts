rootProject.name = "nestbox"

include(":locker-server", ":notify-service")
