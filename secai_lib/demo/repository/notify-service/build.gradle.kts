plugins {
    application
    kotlin("jvm") version "1.9.22"
    id("com.github.johnrengelman.shadow") version "8.1.1"
}

group = "io.nestbox"
version = "1.8.0"

application {
    mainClass.set("io.nestbox.notify.MainKt")
}

repositories {
    mavenCentral()
}

dependencyLocking {
    lockAllConfigurations()
}

dependencies {
    implementation("io.ktor:ktor-server-netty-jvm:2.3.8")
    implementation("io.ktor:ktor-server-sessions-jvm:2.3.8")
    runtimeOnly("ch.qos.logback:logback-classic:1.4.14")
}
